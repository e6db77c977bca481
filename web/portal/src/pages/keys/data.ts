import type * as z from 'zod';
import type {
  ApiKeys as ApiKeysSchema,
  CreatedApiKey as CreatedSchema,
} from '../../../../../contract/api-v1.ts';

export type ApiKeys = z.infer<typeof ApiKeysSchema>;
export type CreatedApiKey = z.infer<typeof CreatedSchema>;

export const KEYS_API = '/api/v1/api-keys';
export const KEYS_KEY = ['api-keys'];
