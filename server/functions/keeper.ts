import type { Keeper } from '../rights/keepers.ts';
import type { Functions } from './functions.ts';

export function createFunctionsKeeper(functions: Pick<Functions, 'erase'>): Keeper {
  return {
    area: 'functions',
    tables: ['functions.function', 'functions.version', 'functions.build'],
    erase: (accountId) => functions.erase(accountId),
  };
}
