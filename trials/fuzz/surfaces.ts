import type { WorldOptions } from '../../test/harness/world.ts';
import { openDocuments } from './documents.ts';
import { openHttp } from './http.ts';
import { openJobs } from './jobs.ts';
import { openMessages } from './messages.ts';
import { openModels } from './models.ts';
import { openSockets } from './sockets.ts';
import type { OpenSurface } from './surface.ts';
import { openTokens } from './tokens.ts';

export type SurfaceName = 'http' | 'sockets' | 'messages' | 'jobs' | 'documents' | 'models' | 'tokens';

interface SurfaceEntry extends Pick<WorldOptions, 'isExpectedDenial'> {
  open: OpenSurface;
  /** Settings of the processes, if they differ from those of tests. */
  env?: Record<string, string>;
}

/** Prefix of a world of tests. */
const OWN_KEY = /^\{t[0-9a-f]{12}\}/;

export const SURFACES: Readonly<Record<SurfaceName, SurfaceEntry>> = {
  http: { open: openHttp },
  sockets: { open: openSockets },
  messages: { open: openMessages },
  // A damaged job can name a parent with any key.
  jobs: {
    open: openJobs,
    isExpectedDenial: ({ object, context }) => context === 'lua' && !OWN_KEY.test(object),
  },
  // The sweep reads them too.
  documents: { open: openDocuments, env: { RECONCILE_INTERVAL_MS: '1000' } },
  models: { open: openModels },
  tokens: { open: openTokens },
};
