/** Address of the API, in two parts. */
export interface ApiAddress {
  /** Scheme, host and port, such as `https://api.example.com`. */
  origin: string;
  /** Path prefix, such as `/calendar`; empty without BASE_PATH. */
  basePath: string;
}

export interface ApiAddressOptions {
  /**
   * Address of the API, such as `https://api.example.com`. In a browser it may be relative to the page: `/` is the page's own
   * server. A path and a query in it are ignored. `localhost:3001` gets the page's scheme, or http; `ws:` means `http:`.
   */
  url: string | URL;
  /** The API's BASE_PATH, if a proxy in front of it strips one: `/calendar`. */
  basePath?: string | undefined;
}

const EXAMPLE = 'write an address such as https://api.example.com';

/** @throws TypeError if the address is invalid. Another attempt cannot succeed: the program must be corrected */
export function readApiAddress({ url, basePath = '' }: ApiAddressOptions): ApiAddress {
  const path = basePath.split('/').filter((part) => part !== '');
  if (/[\s?#\\]/.test(basePath) || path.some((part) => /^\.\.?$/.test(part))) {
    throw new TypeError('basePath is not a path: write it as in BASE_PATH, such as /calendar');
  }
  return { origin: readOrigin(url), basePath: path.map((part) => `/${part}`).join('') };
}

function readOrigin(given: unknown): string {
  if (typeof given !== 'string' && !(given instanceof URL)) throw new TypeError(`url is missing: ${EXAMPLE}`);
  const text = String(given).trim();
  const page = pageUrl();
  const isRelative = text === '' || /^[/\\]/.test(text);
  if (isRelative && page === undefined) {
    throw new TypeError(`url is relative, which only works in a page: ${EXAMPLE}`);
  }
  const absolute = withScheme(text, page);
  if (!URL.canParse(absolute, page?.href)) throw new TypeError(`url cannot be read: ${EXAMPLE}`);
  const { protocol, username, password, host } = new URL(absolute, page?.href);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`url must begin with http:// or https://: ${EXAMPLE}`);
  }
  if (username !== '' || password !== '') {
    throw new TypeError('url must not contain a user name or password; getToken provides the token');
  }
  return `${protocol}//${host}`;
}

/** A browser's page, if it came from a web server. */
function pageUrl(): URL | undefined {
  const { location } = globalThis as { location?: { href?: unknown } };
  const href = location?.href;
  if (typeof href !== 'string' || !/^https?:/.test(href)) return undefined;
  return new URL(href);
}

function withScheme(text: string, page: URL | undefined): string {
  // URL would parse the host of localhost:3001 as a scheme.
  if (/^([\w.-]+|\[[\da-f:.]+\]):\d+(?:[/?#]|$)/i.test(text)) return `${page?.protocol ?? 'http:'}//${text}`;
  if (/^wss?:/i.test(text)) return text.replace(/^ws/i, 'http');
  if (text === '' || /^[/\\]/.test(text) || /^[a-z][a-z\d+.-]*:/i.test(text)) return text;
  throw new TypeError(`url must begin with http:// or https://: ${EXAMPLE}`);
}
