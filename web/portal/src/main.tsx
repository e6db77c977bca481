import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { startI18n } from './i18n.ts';
import './styles.css';
import { applyTheme, chosenTheme } from './theme.ts';

applyTheme(chosenTheme());
await startI18n();
const root = document.querySelector('#root');
if (root === null) throw new Error('the page has no root');
const client = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, gcTime: 60_000 } },
});
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
