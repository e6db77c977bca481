export { type Platform, type PlatformOptions, startPlatform } from './platform.ts';
export { type Client, createClient, type Deployed } from './client.ts';
export { fixtureFiles, templateFiles, zip } from './zip.ts';
export { rawExchange } from './raw-http.ts';
export {
  type OutsideRequest,
  type OutsideServer,
  type OutsideTool,
  startOutsideServer,
} from './outside-mcp-server.ts';
export {
  type ModelScript,
  type ScriptedModel,
  type ScriptedReply,
  type ScriptedRequest,
  type ScriptedToolCall,
  startScriptedModel,
} from './scripted-model.ts';
