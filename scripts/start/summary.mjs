/**
 * What the user can do now that all runs.
 * @param {object} facts
 * @param {number} facts.port
 * @param {import('./secrets.mjs').Secrets} facts.secrets
 * @param {NodeJS.ProcessEnv} facts.env  of the API
 * @param {string | undefined} facts.appointmentId  of the demo data
 * @returns {string}
 */
export function summary({ port, secrets, env, appointmentId }) {
  const base = `http://localhost:${port}`;
  const madeUp = (/** @type {string} */ variable) => secrets.madeUp.includes(variable);
  const login = madeUp('ADMIN_PASSWORD')
    ? `user ${env.ADMIN_USER}, password ${env.ADMIN_PASSWORD}`
    : `user ${env.ADMIN_USER}, password: your ADMIN_PASSWORD`;
  // A key that was given stays out of the terminal's history.
  const key = madeUp('INTERNAL_SERVICE_API_KEY')
    ? env.INTERNAL_SERVICE_API_KEY
    : '<your INTERNAL_SERVICE_API_KEY>';
  return `
Everything runs.

  Dashboard    ${base}/
  Operation    ${base}/admin  (${login})
  Jobs         ${base}/admin/queues
  Interfaces   ${base}/docs

${appointmentId ? 'Emit an event for an appointment of today, and watch the dashboard:' : 'Emit an event:'}

  curl -X POST ${base}/api/v1/internal/socket/appointment-updated \\
    -H 'x-api-key: ${key}' -H 'content-type: application/json' \\
    -d '{"appointmentId":"${appointmentId ?? '<id of an appointment>'}"}'

Ctrl-C stops everything that was started here.
`;
}
