import { type Fault, PlatformError } from '../kernel/errors.ts';

/** Why a question stays without an answer. None of them repeats a word of it. */
export const aiErrors = {
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'ai.cancelled',
      message: 'The query was cancelled: its client has left.',
    }),
  deadline: (deadlineMs: number) =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'ai.deadline',
      owner: 'provider',
      message: `The answer was not complete within ${deadlineMs / 1000} seconds. Ask for less, or choose a faster model.`,
    }),
  tooManyFunctions: (functionsMax: number) =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'ai.too_many_functions',
      message: `A model can choose among ${functionsMax} functions at most. Name the ones that matter.`,
    }),
  badCalls: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'ai.bad_calls',
      owner: 'provider',
      message:
        'The model kept asking for functions that were not offered, or with arguments that break their schemas. ' +
        'None of those calls was made. Ask more precisely, or choose a stronger model.',
    }),
  cutShort: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'ai.cut_short',
      owner: 'provider',
      message: "The model's answer broke off. Ask again.",
    }),
  badResponseSchema: (faults: readonly Fault[]) =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'ai.bad_response_schema',
      message: 'The response schema cannot be used. It is JSON Schema, draft 2020-12.',
      faults,
    }),
  answerBreaksSchema: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'ai.answer_breaks_schema',
      owner: 'provider',
      message:
        "The model's answer does not fit the response schema, not even when asked again. " +
        'Simplify the schema, or choose a stronger model.',
    }),
};
