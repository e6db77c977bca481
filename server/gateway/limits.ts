import { ARCHIVE_LIMITS } from '../functions/limits.ts';

/** Every bound of the HTTP edge. The data plane's own (body, deadline) are among the limits of calls. */
export interface GatewayLimits {
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
  /** From the opening of a connection, or the first byte of a further request, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the last byte of its body; answers may take longer. */
  readonly requestTimeoutMs: number;
  /** Longer than the idle time of the usual load balancers, so that it is they who close. */
  readonly keepAliveTimeoutMs: number;
  /** How often slow connections are looked for. */
  readonly connectionCheckMs: number;
  /** JSON bodies of the control plane. */
  readonly bodyBytesMax: number;
  readonly uploadBytesMax: number;
  /** Uploads lie in memory while they arrive. */
  readonly uploadsMax: number;
  readonly uploadsPerAccountMax: number;
  readonly eventStreamsMax: number;
  readonly eventStreamsPerAccountMax: number;
  /** Console lines are dropped, and counted, for a reader who is this far behind. */
  readonly eventBacklogBytesMax: number;
  readonly heartbeatMs: number;
  /** Questions that are being answered at once. */
  readonly queriesMax: number;
  readonly queriesPerAccountMax: number;
  /** Messages of visitors that are being answered at once. */
  readonly visitorMessagesMax: number;
  readonly visitorMessagesPerSiteMax: number;
  /** With the turns before it. */
  readonly visitorBodyBytesMax: number;
  /** SQL text or CSV; it passes through and never lies in memory as a whole. */
  readonly sqlImportBytesMax: number;
  /** Copies of accounts that are made, or taken over, at once; one for each account. */
  readonly copiesMax: number;
  /** A message of the Model Context Protocol; a file within it is base64. They lie in memory. */
  readonly mcpBodyBytesMax: number;
  /** Of one answer: larger than what a model is shown, because clients of the protocol save files, too. */
  readonly mcpResultBytesMax: number;
  readonly mcpRequestsMax: number;
  readonly mcpRequestsPerAccountMax: number;
  /** How often a client that asked for it is told that a call still runs. */
  readonly mcpProgressMs: number;
}

export const gatewayLimits: GatewayLimits = {
  connectionsMax: 8_192,
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  connectionCheckMs: 2_000,
  bodyBytesMax: 1024 * 1024,
  uploadBytesMax: ARCHIVE_LIMITS.uploadBytesMax,
  uploadsMax: 8,
  uploadsPerAccountMax: 2,
  eventStreamsMax: 256,
  eventStreamsPerAccountMax: 16,
  eventBacklogBytesMax: 256 * 1024,
  heartbeatMs: 15_000,
  queriesMax: 512,
  queriesPerAccountMax: 256,
  visitorMessagesMax: 1024,
  visitorMessagesPerSiteMax: 768,
  visitorBodyBytesMax: 512 * 1024,
  sqlImportBytesMax: 256 * 1024 * 1024,
  copiesMax: 4,
  mcpBodyBytesMax: 8 * 1024 * 1024,
  mcpResultBytesMax: 8 * 1024 * 1024,
  mcpRequestsMax: 128,
  mcpRequestsPerAccountMax: 32,
  mcpProgressMs: 1_000,
};
