import { mongo } from 'mongoose';

const SCHEME = /^mongodb(\+srv)?:\/\//i;
const ENCODE =
  'percent-encode special characters in user name and password (# is %23, / is %2F, ? is %3F, @ is %40, % is %25)';
const MAX_NAME_BYTES = 63;
/** Messages of the driver that do not quote the URI. */
const WITHOUT_QUOTE = /cannot have port number|multiple service names|Invalid port \(zero\)/;

/**
 * Reads MONGODB_URI. It must name a database: without one the driver would use `test`.
 * @returns the URI with its scheme in lower case
 * @throws RangeError whose message continues the setting's name; it never holds a user name or a password
 */
export function readMongoUri(text: string): string {
  const scheme = SCHEME.exec(text)?.[0].toLowerCase();
  if (scheme === undefined) throw new RangeError('must start with mongodb:// or mongodb+srv://');
  const rest = text.slice(scheme.length);
  if (/[#\s]/.test(rest)) throw new RangeError(`must not contain # or spaces; ${ENCODE}`);
  const [, authority = '', path = ''] = /^([^/?]*)(?:\/([^?]*))?/.exec(rest) ?? [];
  const userinfo = authority.slice(0, Math.max(authority.lastIndexOf('@'), 0));
  // An @ after this part means that the password contains a slash or a question mark.
  const isCut = path.includes('@') || /^[^/@]*\?.*@/.test(rest);
  if (userinfo.includes('@') || isCut) throw new RangeError(`cannot be read: ${ENCODE}`);
  if (
    authority
      .slice(authority.lastIndexOf('@') + 1)
      .split(',')
      .includes('')
  ) {
    throw new RangeError(`has a server without a host: write mongodb://host:27017/petbuddy; ${ENCODE}`);
  }
  const uri = scheme + rest;
  checkDatabase(path);
  parseByDriver(uri);
  return uri;
}

/** Where a checked MONGODB_URI leads, as the driver reads it. */
export function readMongoTransport(uri: string): { hosts: string[]; isEncrypted: boolean } {
  const { hosts, srvHost, tls } = new mongo.MongoClient(uri).options;
  return {
    // A socket in the file system has no host.
    hosts: typeof srvHost === 'string' ? [srvHost] : hosts.map(({ host }) => host ?? 'localhost'),
    isEncrypted: tls,
  };
}

function parseByDriver(uri: string): void {
  try {
    new mongo.MongoClient(uri);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const holdsNoSecret = !uri.includes('@') || WITHOUT_QUOTE.test(message);
    throw new RangeError(
      holdsNoSecret
        ? `is not usable: ${message}`
        : `cannot be read: check hosts, ports and options; ${ENCODE}`,
    );
  }
}

function checkDatabase(path: string): void {
  let name;
  try {
    name = decodeURIComponent(path);
  } catch {
    throw new RangeError(`cannot be read: ${ENCODE}`);
  }
  if (name === '') {
    throw new RangeError(
      'must name the database after the host: mongodb://host:27017/petbuddy; options follow it after a ?',
    );
  }
  if (/[/\\. "$*<>:|?\0]/.test(name) || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new RangeError(
      `names a database that cannot exist: at most ${MAX_NAME_BYTES} bytes, without / \\ . $ * < > : | ? quotes and spaces`,
    );
  }
}
