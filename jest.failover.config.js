import all, { FAILOVERS } from './jest.config.js';

/** `npm run test:failover`: servers that take over from one another, and processes that come and go; too long for `npm test`. */
export default { ...all, testMatch: FAILOVERS, testPathIgnorePatterns: ['/node_modules/'] };
