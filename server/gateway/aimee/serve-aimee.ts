import type { FastifyInstance } from 'fastify';
import type { AimeeOptions } from './parts.ts';
import { serveConversations, serveStatistics } from './serve-conversations.ts';
import { serveGrants } from './serve-grants.ts';
import { serveCrawls, serveKnowledge } from './serve-knowledge.ts';
import { serveSites } from './serve-sites.ts';
import { serveVisitorRequests } from './serve-visitor-requests.ts';
import { serveVisitors } from './serve-visitors.ts';

/** AI.Mee: what visitors' widgets send, and what customers do with their sites. */
export function serveAimee(app: FastifyInstance, options: AimeeOptions): void {
  serveVisitors(app, options);
  serveSites(app, options);
  serveKnowledge(app, options);
  serveCrawls(app, options);
  serveConversations(app, options);
  serveStatistics(app, options);
  serveGrants(app, options);
  serveVisitorRequests(app, options);
}
