import { jwtVerify, SignJWT } from 'jose';
import { config } from './config.js';

const secret = new TextEncoder().encode(config.security.jwtSecret);

/** The JWT that the application's own login issues. */
export function signToken({ userId, companyId, role }) {
  return new SignJWT({ userId: String(userId), companyId: String(companyId), role })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('12h')
    .sign(secret);
}

export async function verifyToken(token) {
  const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
  const { userId, companyId, role } = payload;
  return { userId, companyId, role };
}

export async function requireUser(req, res, next) {
  try {
    req.user = await verifyToken(req.get('authorization')?.replace('Bearer ', '') ?? '');
  } catch {
    res.status(401).json({ error: { code: 'NOT_SIGNED_IN', message: 'Sign in first' } });
    return;
  }
  next();
}

export function requireInternalKey(req, res, next) {
  if (req.get('x-api-key') === config.security.internalApiKey) next();
  else res.status(401).json({ error: { code: 'UNAUTHORIZED', message: 'Wrong or missing key' } });
}
