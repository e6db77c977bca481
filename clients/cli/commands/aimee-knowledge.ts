import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { AimeeCrawl, AimeeKnowledge, Api } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { documentFiles } from '../document-files.ts';
import { CliError } from '../failure.ts';
import { findSite, sitePath } from './aimee-words.ts';
import { plainUploads, sendAll, summary } from './vectors-upload.ts';

/** What an assistant knows: documents, and pages of the site itself. */
export function addAimeeKnowledge(aimee: Command, context: Context): void {
  const knowledge = aimee.command('knowledge').description('what an assistant answers from');
  addList(knowledge, context);
  addDocuments(knowledge, context);
  addCrawl(knowledge, context);
  addDelete(knowledge, context);
}

function addList(knowledge: Command, context: Context): void {
  const list = withJson(knowledge.command('list'))
    .description('list documents and pages')
    .argument('<site>', 'id or name')
    .action(async (word: string) => {
      const api = connect(context, list);
      const { id } = await findSite(api, word);
      const documents = await allDocuments(api, id);
      const rows = documents.map(({ documentId, title, url, passages }) => [
        documentId,
        String(passages),
        title,
        url ?? '',
      ]);
      const none = `There is nothing yet. Add something: jellyfaas aimee knowledge add ${id} FILE…`;
      const lines = table(['DOCUMENT', 'PASSAGES', 'TITLE', 'PAGE'], rows, none);
      print(context, list, { value: { documents }, lines });
    });
}

const PAGE = 1000;

async function allDocuments(api: Api, siteId: string): Promise<AimeeKnowledge['documents']> {
  const all: AimeeKnowledge['documents'] = [];
  for (let after = ''; ;) {
    const path = sitePath(siteId, `/knowledge?limit=${PAGE}${after}`);
    const { documents, next } = await api.get<AimeeKnowledge>(path);
    all.push(...documents);
    if (next === null) return all;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

interface AddOptions {
  readonly title?: string;
  readonly byPath?: boolean;
}

function addDocuments(knowledge: Command, context: Context): void {
  const add = withJson(knowledge.command('add'))
    .description('send documents: PDF, DOCX, HTML, Markdown, CSV, text; one of the same name is replaced')
    .argument('<site>', 'id or name')
    .argument('<file...>', "files, or patterns like 'docs/**/*.md'")
    .option('--title <title>', 'what visitors see as its source; the name of the file otherwise')
    .option('--by-path', 'tell files apart by their paths, not their names alone')
    .action(async (word: string, words: string[], { title, byPath }: AddOptions) => {
      const files = documentFiles(words, { cwd: context.cwd, byPath: byPath === true });
      const api = connect(context, add);
      const { id } = await findSite(api, word);
      const send = plainUploads(api, {
        path: sitePath(id, '/knowledge'),
        progressPath: (uploadId) => sitePath(id, `/uploads/${encodeURIComponent(uploadId)}`),
        fieldsOf: (name) => ({ metadata: JSON.stringify({ title: title ?? titleOf(name) }) }),
      });
      const sent = await sendAll(context, files, send);
      print(context, add, { value: sent, lines: [summary(sent)] });
      if (sent.failed.length > 0) throw new CliError(`${sent.failed.length} document(s) were not taken.`);
    });
}

/** `docs/pump-manual.pdf` → `pump manual`. */
function titleOf(fileName: string): string {
  const base = fileName.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, '');
  return base.replaceAll(/[-_]+/g, ' ').trim() || fileName;
}

interface CrawlOptions {
  readonly sitemap?: string;
}

const POLL_MS = 1000;

function addCrawl(knowledge: Command, context: Context): void {
  const crawl = withJson(knowledge.command('crawl'))
    .description('read pages of the site itself; pages of an earlier crawl that are not met again go')
    .argument('<site>', 'id or name')
    .argument('[url...]', 'pages')
    .option('--sitemap <url>', 'the pages that it lists')
    .action(async (word: string, urls: string[], { sitemap }: CrawlOptions) => {
      const api = connect(context, crawl);
      const site = await findSite(api, word);
      const path = sitePath(site.id, '/crawl');
      let value = await api.send<AimeeCrawl>('POST', path, sitemap === undefined ? { urls } : { sitemap });
      while (value.status === 'running') {
        context.terminal.status(`${value.pagesDone} of ${value.pages} pages`);
        await pause(POLL_MS);
        value = await api.get<AimeeCrawl>(path);
      }
      context.terminal.status('');
      for (const { url, message } of value.failures) context.terminal.note(`${url}: ${message}`);
      const read = value.pagesDone - value.failures.length;
      print(context, crawl, {
        value,
        lines: [`${read} of ${value.pages} pages are in, ${value.removed} are gone.`],
      });
    });
}

function addDelete(knowledge: Command, context: Context): void {
  const remove = withJson(knowledge.command('delete'))
    .description('remove documents or pages')
    .argument('<site>', 'id or name')
    .argument('<document...>', 'ids, as listed by "jellyfaas aimee knowledge list"')
    .action(async (word: string, ids: string[]) => {
      const api = connect(context, remove);
      const site = await findSite(api, word);
      for (const id of ids)
        await api.send('DELETE', sitePath(site.id, `/knowledge/${encodeURIComponent(id)}`));
      const lines = [`${ids.length} document(s) of ${site.name} are gone.`];
      print(context, remove, { value: { site: site.id, deleted: ids }, lines });
    });
}
