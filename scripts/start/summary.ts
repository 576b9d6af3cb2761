import type { Secrets } from './secrets.ts';

export interface SummaryFacts {
  port: number;
  secrets: Secrets;
  /** Of the API. */
  env: NodeJS.ProcessEnv;
  /** An appointment of the demo company; undefined if there is none. */
  appointmentId: string | undefined;
}

/** What npm start prints at the end: the addresses, and a command that emits an event. */
export function summary({ port, secrets, env, appointmentId }: SummaryFacts): string {
  const base = `http://localhost:${port}`;
  const isGenerated = (variable: string): boolean => secrets.generated.includes(variable);
  const login = describeLogin(env, isGenerated('ADMIN_PASSWORD'));
  // A key that the user has set must not appear in the terminal.
  const key = isGenerated('INTERNAL_SERVICE_API_KEY')
    ? env.INTERNAL_SERVICE_API_KEY
    : '<your INTERNAL_SERVICE_API_KEY>';
  return `
Everything runs.

  Dashboard       ${base}/
  Administration  ${base}/admin  (${login})
  Jobs            ${base}/admin/queues
  API docs        ${base}/docs

${appointmentId ? "To emit an event for one of today's appointments, and see it on the dashboard:" : 'To emit an event:'}

  curl -X POST ${base}/api/v1/internal/socket/appointment-updated \\
    -H 'x-api-key: ${key}' -H 'content-type: application/json' \\
    -d '{"appointmentId":"${appointmentId ?? '<id of an appointment>'}"}'

Ctrl-C stops everything that was started here.
`;
}

function describeLogin(env: NodeJS.ProcessEnv, isGenerated: boolean): string {
  if (env.OPERATORS_FILE) return `an operator of ${env.OPERATORS_FILE}`;
  return `user ${env.ADMIN_USER}, password${isGenerated ? ` ${env.ADMIN_PASSWORD}` : ': your ADMIN_PASSWORD'}`;
}
