import { modelOrNone } from '../ai/model-or-none.ts';
import { runStep } from '../ai/model-step.ts';
import { createFence } from '../ai/untrusted.ts';
import type { ChatModel, Models } from '../models/chat-model.ts';
import { type Source, checkCitations, citationOf } from './citations.ts';
import type { OpenedVectors } from './databases.ts';
import { vectorErrors } from './errors.ts';
import { isRelevant } from './relevance.ts';
import { type Retrieved, type RetrievalOptions, retrieve } from './retrieval.ts';
import type { Asker, Question, VectorAnswer } from './vectors.ts';

export interface AnswerOptions extends RetrievalOptions {
  readonly models: Pick<Models, 'select'>;
}

interface Answering {
  readonly asker: Asker;
  readonly question: Question;
  readonly sources: readonly Source[];
  readonly retrieved: Retrieved;
  readonly onText: (text: string) => void;
}

/** Finds passages and answers from them: in a model's words, in the passages' own, or by saying that there are none. */
export async function answer(
  options: AnswerOptions,
  { opened, asker }: { readonly opened: OpenedVectors; readonly asker: Asker },
  { question, onText }: { readonly question: Question; readonly onText: (text: string) => void },
): Promise<VectorAnswer> {
  const { database } = opened;
  if (database.model === null) throw vectorErrors.noModel();
  if (database.kind === 'strict' && database.resolver === null) throw vectorErrors.noResolver();
  const { filter, topK, rerank, retrievalText, minScore } = question;
  const text = retrievalText ?? question.question;
  const judged = rerank === true ? options.limits.rerankHits : topK;
  const retrieved = await retrieve(options, { opened, asker }, { text, topK, filter, rerank }, judged);
  const sources = retrieved.hits.map((hit, at) => ({ hit, number: at + 1 }));
  const answering = { asker, question, sources, retrieved, onText };
  if (!isRelevant(database, retrieved, { text, minScore })) return nothing(answering);
  const model = await modelOrNone(options.models, asker.principal.accountId, question.platform);
  return model === undefined ? quote(options, answering) : await tell(options, model, answering);
}

const NO_MODEL = { platform: null, model: null, retention: 'none', finish: 'complete' } as const;

function nothing({ retrieved, onText }: Answering): VectorAnswer {
  const text = 'Nothing relevant to this question was found in the documents.';
  onText(text);
  return { answer: text, engine: 'none', citations: [], changed: retrieved.changed, ...NO_MODEL };
}

function quote({ limits }: AnswerOptions, { sources, retrieved, onText }: Answering): VectorAnswer {
  const citations = sources
    .slice(0, limits.quotesMax)
    .map((source) => citationOf(source, retrieved.windows.get(source.hit.id)));
  const quotes = citations.map(({ quote: said, number }) => `${blockquote(said)}\n\n[${number}]`);
  const text = [
    'No model is configured to answer in words of its own. These are the passages that fit best, as they stand:',
    ...quotes,
  ].join('\n\n');
  onText(text);
  return { answer: text, engine: 'extractive', citations, changed: retrieved.changed, ...NO_MODEL };
}

function blockquote(text: string): string {
  return text.replaceAll(/^/gm, '> ');
}

async function tell(
  { limits }: AnswerOptions,
  model: ChatModel,
  { asker, question, sources, retrieved, onText }: Answering,
): Promise<VectorAnswer> {
  const fence = createFence('What documents say');
  const passages = sources.map(({ number, hit }) => `Passage [${number}]:\n${fence.wrap(hit.text ?? '')}`);
  const step = await runStep(
    model,
    {
      accountId: asker.principal.accountId,
      messages: [
        { role: 'system', text: `${fence.instruction}\n\n${RULES}` },
        { role: 'user', text: `${passages.join('\n\n')}\n\nQuestion: ${question.question}` },
      ],
      tools: [],
      outputTokensMax: limits.answerTokensMax,
      signal: asker.signal,
    },
    // A call could not be made anyway: nothing here could run it.
    { textLengthMax: limits.answerLengthMax, callsMax: 0, onText },
  );
  const { platform, model: name, retention } = model;
  return {
    ...checkCitations(step.text, sources),
    engine: 'model',
    finish: step.finish === 'length' || step.finish === 'filtered' ? step.finish : 'complete',
    changed: retrieved.changed,
    platform,
    model: name,
    retention,
  };
}

const RULES =
  'Answer the question from the numbered passages alone. After each statement put the number of the passage that it ' +
  'rests on in brackets, as in [1] or [2][3], and use no other numbers. If the passages do not answer the question, ' +
  'say so in one sentence and put no number. Answer in the language of the question.';
