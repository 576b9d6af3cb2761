import type { Row } from './run-scenario.ts';
import { MONGO_UNAVAILABLE, REDIS_UNAVAILABLE } from './scenario.ts';

const BEGIN = '<!-- fault table: written by `npm run test:faults -- --write` -->';
const END = '<!-- end of the fault table -->';

/** The page gives the error codes of these outcomes above the table. */
const EXPLAINED_OUTCOMES = [REDIS_UNAVAILABLE, MONGO_UNAVAILABLE, '409 IDEMPOTENCY_IN_PROGRESS'];

const QUICK_REPLY_MS = 250;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** The fault table in Markdown. */
export function toTable(rows: readonly Row[]): string {
  const head = ['fault', 'meanwhile', 'recovered after, s', 'published/accepted'];
  const lines = rows.map(({ fault, effect, results, recoveredMs, accepted, published, retried }) => [
    fault,
    [...repliesOf(results), effect].join(' '),
    recoveredMs === undefined ? 'not recovered' : (recoveredMs / 1_000).toFixed(1),
    `${published}/${accepted}${retried > 0 ? `, ${retried} by a retry` : ''}`,
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The outcomes of the calls, each with its longest time, as one sentence. Quick acceptances are left out. */
function repliesOf(results: Row['results']): string[] {
  const notable = results.filter(
    ({ outcome, maxDurationMs }) => outcome !== '202' || maxDurationMs > QUICK_REPLY_MS,
  );
  return notable.length > 0 ? [`${notable.map(describe).join(', ')}.`] : [];
}

function describe({ outcome, maxDurationMs }: Row['results'][number]): string {
  const [status = '', code] = outcome.split(' ');
  const formatted = /^\d/.test(status) && code !== undefined ? `${status} \`${code}\`` : outcome;
  const short = EXPLAINED_OUTCOMES.includes(outcome) ? status : formatted;
  return `${short} ≤${seconds(Math.max(maxDurationMs, 50))}`;
}

/** Returns the page with its table replaced. @throws if the page lacks the markers */
export function replaceTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from)
    throw new Error(`the page lacks the markers of the fault table: ${BEGIN} … ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}
