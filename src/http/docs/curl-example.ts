import type { Operation, Security } from './operation.ts';

/** Arguments of curl that authenticate a request. */
const CREDENTIALS: Record<Security, string> = {
  internalKey: '--header "x-api-key: $INTERNAL_SERVICE_API_KEY"',
  dashboardToken: '--header "authorization: Bearer $DASHBOARD_TOKEN"',
  operator: '--user "$ADMIN_USER:$ADMIN_PASSWORD"',
};

/**
 * The operation's example as a call of curl, in a Markdown code block:
 *
 *     curl --fail-with-body "$API_URL/api/v1/internal/socket/appointment-created" \
 *       --header "x-api-key: $INTERNAL_SERVICE_API_KEY" \
 *       --header 'content-type: application/json' \
 *       --data '{"appointmentId":"65f0c0ffee65f0c0ffee00c0"}'
 */
export function createCurlExample({ path, security, example = {} }: Operation): string {
  const query = new URLSearchParams(example.query).toString();
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => example.path?.[name] ?? '');
  const parts = [
    `curl --fail-with-body "$API_URL${filled}${query === '' ? '' : `?${query}`}"`,
    ...(security === undefined ? [] : [CREDENTIALS[security]]),
    ...(example.body === undefined
      ? []
      : [`--header 'content-type: application/json'`, `--data '${JSON.stringify(example.body)}'`]),
  ];
  return `\`\`\`sh\n${parts.join(' \\\n  ')}\n\`\`\``;
}
