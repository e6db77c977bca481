/** Work of which there is one at a time for each id: who comes meanwhile joins it. */
export interface Joint<Id> {
  /** Ends as the work that runs for the id, which is this one unless there is one already. */
  run(id: Id, work: () => Promise<void>): Promise<void>;
  /** Whether any was running; after its end, however that was. */
  ended(id: Id): Promise<boolean>;
}

export function createJoint<Id>(): Joint<Id> {
  const running = new Map<Id, Promise<void>>();
  return {
    async run(id, work) {
      const mine = running.get(id) ?? work().finally(() => running.delete(id));
      running.set(id, mine);
      await mine;
    },
    async ended(id) {
      const ending = running.get(id);
      await ending?.catch(() => undefined);
      return ending !== undefined;
    },
  };
}
