import { sendCrowd } from '../testkit/visitor-crowd.ts';
import { load } from './load.ts';
import type { LoadAnswer, LoadOrder } from './loader.ts';

/** The child that `startLoader` forks: one load at a time, as the parent asks for them. */
process.on('message', (order: LoadOrder) => {
  const answer = (message: LoadAnswer): void => void process.send?.(message);
  const result = 'crowd' in order ? sendCrowd(order.crowd) : load(order.load);
  result.then(
    (done) => answer({ result: done }),
    (error: unknown) => answer({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
