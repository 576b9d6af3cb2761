export const config = {
  mongoUri: process.env.MONGODB_URI,
  backend: { apiUrl: process.env.BACKEND_API_URL },
  security: { internalApiKey: process.env.INTERNAL_SERVICE_API_KEY },
};
