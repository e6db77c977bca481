export * from './api-v1.ts';
export * from './compatible.ts';
export * from './errors.ts';
export * from './openapi.ts';
export * from './query-service.ts';
export * from './route.ts';
export * from './sql.ts';
export * from './vectors.ts';
