import type { IncomingMessage } from 'node:http';
import type { Aimee } from '../../aimee/create-aimee.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import type { WidgetFiles } from './widget-files.ts';

/** What AI.Mee needs beside the control plane's own parts. */
export interface AimeeParts {
  readonly service: Omit<Aimee, 'copier' | 'rest' | 'erase' | 'close'>;
  readonly widget: WidgetFiles;
  /** Textual IP address of whoever makes a request. */
  readonly originIp: (req: IncomingMessage) => string;
}

export interface AimeeOptions extends Pick<
  ControlPlaneOptions,
  'accounts' | 'clock' | 'events' | 'limits' | 'closing' | 'publicUrl'
> {
  readonly aimee: AimeeParts;
}
