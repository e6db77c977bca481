export { CompatibleError, Problem } from './errors.ts';
