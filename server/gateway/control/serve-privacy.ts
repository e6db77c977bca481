import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type PrivacyStatement, privacyRoutes as routes } from '../../../contract/index.ts';
import { fastifyPath } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** What this installation promises, to everybody who asks. */
export function servePrivacy(app: FastifyInstance, { privacy, privacyContract }: ControlPlaneOptions): void {
  const { version, facts, recipients, useCases } = privacy;
  const statement: PrivacyStatement = {
    version,
    facts: { ...facts, models: [...facts.models], modelSources: [...facts.modelSources] },
    recipients: [...recipients],
    useCases: useCases.map((useCase) => ({ ...useCase, clauses: [...useCase.clauses] })),
  };
  app.get(fastifyPath(routes.getPrivacyStatement), async () => statement);
  app.get(fastifyPath(routes.getPrivacyContract), async (request, reply) => {
    void reply.header('vary', 'accept');
    return answerInForm(privacyContract, request, reply) ?? privacyContract.signed;
  });
}

type Contract = ControlPlaneOptions['privacyContract'];

/** The contract in the form that is asked for; undefined where that is none of the other ones. */
function answerInForm(
  { page, dataMap, record }: Contract,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): string | undefined {
  const accepted = headers.accept ?? '';
  if (accepted.includes('application/ld+json')) {
    void reply.type('application/ld+json; charset=utf-8');
    return dataMap;
  }
  if (accepted.includes('text/markdown')) {
    void reply.type('text/markdown; charset=utf-8');
    return record;
  }
  if (!accepted.includes('text/html')) return undefined;
  void reply.type('text/html; charset=utf-8').headers({
    'content-security-policy': `default-src 'none'; style-src ${page.styleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  });
  return page.html;
}
