/** A source file whose tests need no server but a Redis, and these tests. */
export interface MutatedFile {
  file: string;
  /** Test files, without `.test.ts`. Stryker runs only these for the mutants of this file. */
  tests: readonly string[];
}

const SETTINGS = ['test/config', 'test/setting-forms'];
const SEQUENCE = ['test/dashboard/sequence', 'test/dashboard/reorder-buffer'];

export const MUTATED_FILES: readonly MutatedFile[] = [
  // Sequencer and screen
  { file: 'packages/dashboard/src/sequence.ts', tests: SEQUENCE },
  { file: 'packages/dashboard/src/reorder-buffer.ts', tests: ['test/dashboard/reorder-buffer'] },
  { file: 'packages/dashboard/src/screen.ts', tests: ['test/dashboard/screen'] },
  { file: 'packages/dashboard/src/edits/edited-screen.ts', tests: ['test/dashboard/edits'] },
  { file: 'packages/dashboard/src/token-lifetime.ts', tests: ['test/dashboard/token-lifetime'] },
  // Order
  { file: 'src/emission/emit-appointment.ts', tests: ['test/emission/emit-appointment'] },
  { file: 'src/domain/company-log.ts', tests: ['test/emission/emit-appointment'] },
  // Decisions of the sweep
  { file: 'src/sweep/sweep.ts', tests: ['test/sweep/decisions'] },
  { file: 'src/sweep/look-back.ts', tests: ['test/sweep/decisions'] },
  { file: 'src/sweep/left-out.ts', tests: ['test/sweep/decisions'] },
  { file: 'src/sweep/find-gone.ts', tests: ['test/sweep/find-gone'] },
  { file: 'src/sweep/emit-missed.ts', tests: ['test/sweep/missed-event', 'test/sweep/decisions'] },
  { file: 'src/domain/updated-rows.ts', tests: ['test/sweep/missed-event'] },
  // Decisions of capture
  { file: 'src/capture/compare-change.ts', tests: ['test/capture/unread', 'test/capture/earlier-reads'] },
  // Accepted requests
  { file: 'src/accept/idempotency.ts', tests: ['test/http/idempotency-decisions'] },
  { file: 'src/accept/accept-emission.ts', tests: ['test/http/accept-emission'] },
  // Parsing
  { file: 'packages/dashboard/src/parse.ts', tests: ['test/dashboard/parse'] },
  { file: 'packages/contracts/src/instant.ts', tests: ['test/contracts/instant'] },
  { file: 'packages/contracts/src/text.ts', tests: ['test/contracts/text'] },
  { file: 'src/settings/values.ts', tests: SETTINGS },
  { file: 'src/settings/redis-url.ts', tests: SETTINGS },
  { file: 'src/settings/mongo-uri.ts', tests: SETTINGS },
  { file: 'src/access/verify-token.ts', tests: ['test/access/verify-token'] },
  { file: 'src/http/middleware/validate.ts', tests: ['test/http/validate'] },
  { file: 'src/access/client-address.ts', tests: ['test/http/addresses'] },
  { file: 'packages/bot/src/tools/read-arguments.ts', tests: ['test/bot/tool-arguments'] },
  // Decisions about load
  { file: 'packages/bot/src/circuit-breaker.ts', tests: ['test/bot/circuit-breaker'] },
  { file: 'packages/bot/src/attempt-result.ts', tests: ['test/bot/emit', 'test/bot/retries'] },
  { file: 'src/queue/company-share.ts', tests: ['test/queue/company-share'] },
  { file: 'src/process/bulk-share.ts', tests: ['test/process/bulk-share', 'test/process/bulk-pacer'] },
  { file: 'src/process/bulk-pacer.ts', tests: ['test/process/bulk-pacer', 'test/process/bulk-share'] },
];
