import type { Row } from './run-scenario.ts';

const BEGIN = '<!-- fault table: written by `npm run test:faults -- --write` -->';
const END = '<!-- end of the fault table -->';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** The fault table in Markdown. */
export function toTable(rows: readonly Row[]): string {
  const head = ['fault', 'meanwhile', 'recovered after', 'accepted'];
  const lines = rows.map(({ fault, seen, answers, recoveredMs, accepted, published, retried }) => [
    fault,
    [`Bots: ${answers.map(toWords).join(', ') || 'no call'}.`, seen].join(' '),
    recoveredMs === undefined ? 'not' : seconds(recoveredMs),
    `${accepted}, all ${published === accepted ? '' : `but ${accepted - published} `}published${retried > 0 ? `, ${retried} of them when retried` : ''}`,
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function toWords({ brought, times, longestMs }: Row['answers'][number]): string {
  const [status = '', code] = brought.split(' ');
  const named = /^\d/.test(status) && code !== undefined ? `${status} \`${code}\`` : brought;
  return `${times} × ${named} within ${seconds(Math.max(longestMs, 50))}`;
}

/** The page with its table replaced. @throws where the page has no place for it */
export function replaceTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the page has no place for the fault table: ${BEGIN} … ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}
