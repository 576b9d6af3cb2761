export const config = {
  port: Number(process.env.PORT ?? 4000),
  mongoUri: process.env.MONGODB_URI ?? 'mongodb://localhost:27017/salon',
  logDir: process.env.LOG_DIR ?? 'logs',
  backend: { apiUrl: process.env.BACKEND_API_URL ?? 'http://localhost:4000' },
  security: {
    jwtSecret: process.env.JWT_SECRET,
    internalApiKey: process.env.INTERNAL_SERVICE_API_KEY,
  },
};
