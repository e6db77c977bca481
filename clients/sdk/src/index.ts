export type { Answer, AskEvent, AskOptions, Message, ToolEvent } from './ask.ts';
export { JellyFaaSError } from './error.ts';
export { AIClient, Client, Config } from './flow.ts';
export type {
  CallOptions,
  ContentType,
  FileBody,
  FunctionName,
  Functions,
  InvokeInput,
  Lookup,
  QueryValue,
  Requirements,
} from './functions.ts';
export { type JellyFaaS, jellyfaas } from './jellyfaas.ts';
export type { ConnectOptions, ValidatedKey } from './session.ts';
