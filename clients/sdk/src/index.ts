export type { Answer, AskEvent, AskOptions, Message, ToolEvent } from './ask.ts';
export { JellyFaaSError } from './error.ts';
export { AIClient, Client, Config } from './flow.ts';
// A star, because declarations merge through no other re-export.
export type * from './functions.ts';
export { type JellyFaaS, jellyfaas } from './jellyfaas.ts';
export type * from './sql.ts';
export type * from './vectors.ts';
export type { ConnectOptions, ValidatedKey } from './session.ts';
