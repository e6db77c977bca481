import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A mail server that takes everything and delivers nothing. */
export interface MailServer {
  /** `smtp://127.0.0.1:<port>`. */
  readonly url: string;
  /** Each mail as it came, headers and all. */
  readonly mails: readonly string[];
  close(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const mails: string[] = [];
  const server = createServer((socket) => {
    let mail: string[] | undefined;
    socket.on('error', () => socket.destroy());
    socket.write('220 test\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      if (mail === undefined) {
        if (line === 'DATA') mail = [];
        socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      } else if (line === '.') {
        mails.push(mail.join('\n'));
        mail = undefined;
        socket.write('250 taken\r\n');
      } else mail.push(line);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
