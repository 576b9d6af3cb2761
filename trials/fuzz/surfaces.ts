import { openDocuments } from './documents.ts';
import { openHttp } from './http.ts';
import { openJobs } from './jobs.ts';
import { openMessages } from './messages.ts';
import { openModels } from './models.ts';
import { openSockets } from './sockets.ts';
import type { OpenSurface } from './surface.ts';
import { openTokens } from './tokens.ts';

export type SurfaceName = 'http' | 'sockets' | 'messages' | 'jobs' | 'documents' | 'models' | 'tokens';

/** `env`: settings of the processes, if they differ from those of tests. */
export const SURFACES: Readonly<Record<SurfaceName, { open: OpenSurface; env?: Record<string, string> }>> = {
  http: { open: openHttp },
  sockets: { open: openSockets },
  messages: { open: openMessages },
  jobs: { open: openJobs },
  // The sweep reads them too.
  documents: { open: openDocuments, env: { RECONCILE_INTERVAL_MS: '1000' } },
  models: { open: openModels },
  tokens: { open: openTokens },
};
