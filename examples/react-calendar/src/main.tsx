import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './style.css';

const tokenUrl: string | undefined = import.meta.env.VITE_TOKEN_URL;

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {tokenUrl ? (
      <App tokenUrl={tokenUrl} />
    ) : (
      <p role="alert">
        VITE_TOKEN_URL is missing: copy .env.example to .env, or set it to the route that replies with a
        token, and build again.
      </p>
    )}
  </StrictMode>,
);
