import { configureStore } from '@reduxjs/toolkit';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'react-redux';
import { api } from './api';
import { App } from './app';
import './style.css';

const store = configureStore({
  reducer: { [api.reducerPath]: api.reducer },
  middleware: (defaults) => defaults().concat(api.middleware),
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {import.meta.env.VITE_TOKEN_URL ? (
      <Provider store={store}>
        <App />
      </Provider>
    ) : (
      <p role="alert">
        VITE_TOKEN_URL is missing: copy .env.example to .env, or set it to the route that replies with a
        token, and build again.
      </p>
    )}
  </StrictMode>,
);
