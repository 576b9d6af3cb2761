import { mongo } from 'mongoose';

const SCHEME = /^mongodb(\+srv)?:\/\//i;
const ENCODE =
  'percent-encode special characters in user name and password (# is %23, / is %2F, ? is %3F, @ is %40, % is %25)';
const LONGEST_NAME_BYTES = 63;
/** Words of the driver that quote nothing of the URI. */
const QUOTES_NOTHING = /cannot have port number|multiple service names|Invalid port \(zero\)/;

/**
 * Reads MONGODB_URI: it must name a database, since the driver would silently take `test` for it.
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
  // An @ further on means that the password held a slash or a question mark.
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

function parseByDriver(uri: string): void {
  try {
    new mongo.MongoClient(uri);
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    const isHarmless = !uri.includes('@') || QUOTES_NOTHING.test(words);
    throw new RangeError(
      isHarmless ? `is not usable: ${words}` : `cannot be read: look at hosts, ports and options; ${ENCODE}`,
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
      'must name the database after the host: mongodb://host:27017/petbuddy, with options behind it after a ?',
    );
  }
  if (/[/\\. "$*<>:|?\0]/.test(name) || Buffer.byteLength(name) > LONGEST_NAME_BYTES) {
    throw new RangeError(
      `names a database that cannot exist: at most ${LONGEST_NAME_BYTES} bytes, without / \\ . $ * < > : | ? quotes and spaces`,
    );
  }
}
