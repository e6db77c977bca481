import type { FastifyInstance } from 'fastify';
import { keyRotationRoutes as routes } from '../../../contract/index.ts';
import { bind } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** Other keys for what lies on disk. */
export function serveKeyRotations(
  app: FastifyInstance,
  { accounts, keyRotation }: ControlPlaneOptions,
): void {
  bind(app, accounts, routes.rotateInstallationKeys, () => keyRotation.ofInstallation());
  bind(app, accounts, routes.rotateAccountKeys, async ({ unlock }) => keyRotation.ofAccount(await unlock()));
}
