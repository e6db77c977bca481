import { type LoadOptions, load } from './load.ts';

/** The child that `startLoader` forks: one load at a time, as the parent asks for them. */
process.on('message', (options: LoadOptions) => {
  void load(options).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
