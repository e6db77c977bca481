import * as z from 'zod';
import { AimeeSiteForm } from '../../contract/index.ts';
import type { Holder } from '../accounts/principal.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import { rfc3339 } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import { runs } from '../kernel/runs.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Copier, ImportOutcome, PackFile, PackReader, PackWriter } from '../rights/copier.ts';
import { CONTENTS, type Content, contentsOf, takeContents } from '../vectors/copied-contents.ts';
import type { VectorEngine } from '../vectors/engine/vector-engine.ts';
import { CONVERSATIONS, conversationsOf, takeConversation } from './copied-conversations.ts';
import type { Customers } from './customers.ts';
import { principalOf, serviceHolder } from './knowledge.ts';
import type { Bases } from './knowledge-bases.ts';
import type { Site, Sites } from './sites.ts';

const SiteOf = z.strictObject({
  id: z.string().max(64),
  createdAt: z.iso.datetime(),
  settings: AimeeSiteForm,
});
const SITES: PackFile<z.infer<typeof SiteOf>> = {
  name: 'sites',
  title: 'Sites with an assistant, and how it is set',
  nature: 'given',
  row: SiteOf,
};

export interface AimeeCopierOptions {
  readonly sites: Pick<Sites, 'list' | 'create'>;
  readonly bases: Pick<Bases, 'open' | 'openOf'>;
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'findAll' | 'create'>;
  readonly engine: VectorEngine;
  readonly embedders: Pick<Embedders, 'select'>;
}

/** Sites, what their assistants know, and what visitors said to them: the customer answers for that, and may move it. */
export function createAimeeCopier(options: AimeeCopierOptions): Copier {
  const { sites } = options;
  return {
    area: 'aimee',
    files: [SITES, CONTENTS, CONVERSATIONS],
    async exportTo(holder, writer) {
      const own = await sites.list(holder.accountId);
      await writer.rows(SITES, own.map(siteRow));
      await writer.rows(CONTENTS, knowledgeOf(options, own, writer));
      await writer.rows(CONVERSATIONS, conversationsOf(options, { holder, sites: own, writer }));
    },
    async importFrom(holder, reader, outcome) {
      const made = await takeSites(options, holder, { reader, outcome });
      await takeKnowledge(options, made, { reader, outcome });
      for await (const conversation of reader.rows(CONVERSATIONS)) {
        const site = made.get(conversation.site);
        if (site === undefined) continue;
        try {
          await takeConversation(options, site, conversation);
          outcome.taken('conversation');
        } catch (thrown) {
          outcome.left('conversation', conversation.reference, thrown);
        }
      }
    },
  };
}

function siteRow(site: Site): z.infer<typeof SiteOf> {
  const { id, accountId: _own, createdAt, knowledge: _knowledge, ...settings } = site;
  return { id, createdAt: rfc3339(createdAt * 1000), settings: AimeeSiteForm.parse(settings) };
}

async function* knowledgeOf(
  options: AimeeCopierOptions,
  sites: readonly Site[],
  writer: PackWriter,
): AsyncGenerator<Content> {
  for (const site of sites) {
    if (site.knowledge === null) continue;
    try {
      yield* knowledgeIn(options, site);
    } catch (thrown) {
      writer.missing(CONTENTS, site.id, thrown);
    }
  }
}

async function* knowledgeIn({ bases, engine }: AimeeCopierOptions, site: Site): AsyncGenerator<Content> {
  const opened = await bases.openOf(site).catch(gone);
  if (opened === undefined) return;
  const { file } = opened;
  try {
    yield* contentsOf(engine, { base: site.id, file, hasModel: true });
  } finally {
    file.key.fill(0);
  }
}

/** Its site is being deleted. */
function gone(thrown: unknown): undefined {
  if (!(thrown instanceof PlatformError) || thrown.kind !== 'not_found') throw thrown;
}

interface Arriving {
  readonly reader: PackReader;
  readonly outcome: ImportOutcome;
}

/** New ones, by the ids that they had. */
async function takeSites(
  { sites }: AimeeCopierOptions,
  holder: Holder,
  { reader, outcome }: Arriving,
): Promise<ReadonlyMap<string, Site>> {
  const made = new Map<string, Site>();
  for await (const { id, settings } of reader.rows(SITES)) {
    try {
      made.set(id, await sites.create(principalOf(holder), holder, settings));
      outcome.taken('site');
    } catch (thrown) {
      outcome.left('site', id, thrown);
    }
  }
  return made;
}

async function takeKnowledge(
  options: AimeeCopierOptions,
  made: ReadonlyMap<string, Site>,
  { reader, outcome }: Arriving,
): Promise<void> {
  for await (const { key, items } of runs(reader.rows(CONTENTS), ({ base }) => base)) {
    const site = made.get(key);
    if (site === undefined) continue;
    try {
      await takeBase(options, { site, items, outcome, isWhole: !reader.lacks(CONTENTS, key) });
    } catch (thrown) {
      outcome.left('knowledge', key, thrown);
    }
  }
}

async function takeBase(
  { bases, engine, embedders }: AimeeCopierOptions,
  {
    site: { id, accountId },
    items,
    outcome,
    isWhole,
  }: {
    readonly site: Site;
    readonly items: AsyncIterable<Content>;
    readonly outcome: ImportOutcome;
    readonly isWhole: boolean;
  },
): Promise<void> {
  const { database, file } = await bases.open(serviceHolder(accountId), 'vector', id);
  try {
    const embedder = await embedders.select(accountId, String(database.settings['model']));
    await takeContents({ engine, accountId, to: { base: id, file, embedder, isWhole } }, items, outcome);
  } finally {
    file.key.fill(0);
  }
}
