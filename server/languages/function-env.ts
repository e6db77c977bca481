/**
 * What Google's function platforms tell a function about itself, and libraries look for to know that they are
 * deployed. Constant: a worker is started before anyone knows whose function it will be. The guest adds
 * FUNCTION_TARGET at the claim.
 */
export const FUNCTION_ENV: Readonly<Record<string, string>> = {
  FUNCTION_SIGNATURE_TYPE: 'http',
  FUNCTION_NAME: 'function',
  FUNCTION_REGION: 'local',
  FUNCTION_IDENTITY: 'function',
  GOOGLE_CLOUD_PROJECT: 'local',
  K_SERVICE: 'function',
  K_CONFIGURATION: 'function',
  K_REVISION: 'function-1',
  PORT: '8080',
};
