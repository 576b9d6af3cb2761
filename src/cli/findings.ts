/** One result of `emissions doctor`. */
export interface Finding {
  /** `error`: the service does not work, or breaks a guarantee. `warning`: it works, but the operator should know. */
  severity: 'ok' | 'warning' | 'error';
  /** The state or the problem, such as `maxmemory-policy is allkeys-lru: Redis can evict jobs and logs`. */
  text: string;
  /** What the operator should do. */
  advice?: string;
}

export const ok = (text: string): Finding => ({ severity: 'ok', text });
export const warning = (text: string, advice: string): Finding => ({ severity: 'warning', text, advice });
export const failure = (text: string, advice: string): Finding => ({ severity: 'error', text, advice });

/** One line for each finding, one for its advice, and the totals. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ severity, text, advice }) => [
    `${severity.padEnd(8)} ${text}`,
    ...(advice === undefined ? [] : [`${' '.repeat(9)}→ ${advice}`]),
  ]);
  const count = (of: Finding['severity']) => findings.filter(({ severity }) => severity === of).length;
  const total = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  return [...lines, '', `${total(count('error'), 'error')}, ${total(count('warning'), 'warning')}`].join(
    '\n',
  );
}
