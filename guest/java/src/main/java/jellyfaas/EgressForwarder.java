package jellyfaas;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** Makes the egress proxy's socket reachable as the JVM's HTTP proxy; the proxy decides what may be reached. */
final class EgressForwarder {
  private static final UnixDomainSocketAddress EGRESS = UnixDomainSocketAddress.of("/run/fn/egress.sock");
  private static final int PORT = 3128;

  private EgressForwarder() {}

  static void start() throws IOException {
    for (String scheme : new String[] {"http", "https"}) {
      System.setProperty(scheme + ".proxyHost", "127.0.0.1");
      System.setProperty(scheme + ".proxyPort", String.valueOf(PORT));
    }
    ServerSocketChannel listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT));
    daemon(
        () -> {
          while (true) {
            SocketChannel client = listener.accept();
            daemon(() -> join(client));
          }
        });
  }

  private static void join(SocketChannel client) throws IOException {
    try (client;
        SocketChannel proxy = SocketChannel.open(EGRESS)) {
      Thread sending = daemon(() -> copy(client, proxy));
      copy(proxy, client);
      sending.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void copy(SocketChannel from, SocketChannel to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
    while (from.read(buffer) >= 0) {
      buffer.flip();
      while (buffer.hasRemaining()) {
        to.write(buffer);
      }
      buffer.clear();
    }
    to.shutdownOutput();
  }

  private interface Work {
    void run() throws IOException;
  }

  private static Thread daemon(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException closed) {
                // A connection ended: its other half ends the same way.
              }
            });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
