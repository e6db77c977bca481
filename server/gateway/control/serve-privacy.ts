import type { FastifyInstance } from 'fastify';
import { type PrivacyStatement, privacyRoutes as routes } from '../../../contract/index.ts';
import { fastifyPath } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** What this installation promises, to everybody who asks. */
export function servePrivacy(app: FastifyInstance, { privacy }: ControlPlaneOptions): void {
  const { version, facts, recipients, useCases } = privacy;
  const statement: PrivacyStatement = {
    version,
    facts: { ...facts, models: [...facts.models] },
    recipients: [...recipients],
    useCases: useCases.map((useCase) => ({ ...useCase, clauses: [...useCase.clauses] })),
  };
  app.get(fastifyPath(routes.getPrivacyStatement), async () => statement);
}
