export * from './bhttp.ts';
export { type Binding, QUESTIONS_ID, VECTORS_ID, bindingOf } from './binding.ts';
export { type Bytes, collect } from './bytes.ts';
export { MalformedError, OpeningError } from './errors.ts';
export * from './key-config.ts';
export * from './ohttp.ts';
export { encodePaddedResponse, pad } from './padding.ts';
