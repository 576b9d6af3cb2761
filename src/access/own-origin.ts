/** Returns an Origin header in the form that CORS_ORIGIN has too; undefined for `null` and for any other text. */
export function normalOrigin(header: string): string | undefined {
  if (!URL.canParse(header)) return undefined;
  const { protocol, host } = new URL(header);
  return protocol === 'http:' || protocol === 'https:' ? `${protocol}//${host}` : undefined;
}

/**
 * Whether a page of this origin was served under this Host header. Case, the default port and a trailing dot are ignored.
 */
export function isOfHost(origin: string, host: string | undefined): boolean {
  const normal = normalOrigin(origin);
  if (normal === undefined || host === undefined) return false;
  const page = new URL(normal);
  const own = normalOrigin(`${page.protocol}//${host}`);
  return own !== undefined && hostOf(new URL(own)) === hostOf(page);
}

function hostOf({ hostname, port }: URL): string {
  return `${hostname.replace(/\.$/, '')}:${port}`;
}
