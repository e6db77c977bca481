import { type ReactNode, Suspense, lazy, useEffect, useRef } from 'react';
import { RouterProvider } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { Route, Routes, useHref, useLocation, useNavigate } from 'react-router';
import { PAGES } from './pages.ts';
import { SessionProvider } from './session.tsx';
import { FirstKey } from './shell/first-key.tsx';
import { LinkSignIn, useSignInLink } from './shell/link-sign-in.tsx';
import { Navigation } from './shell/navigation.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { EmptyState, ErrorState, Loading } from './ui/states.tsx';

export function App(): ReactNode {
  const navigate = useNavigate();
  const [link, dropLink] = useSignInLink();
  return (
    <RouterProvider navigate={(path) => void navigate(path)} useHref={useHref}>
      {link === undefined ? (
        <SessionProvider
          signedOut={<SignedOut />}
          waiting={<Loading />}
          failed={(error, retry) => <ErrorState error={error} retry={retry} />}
        >
          <Frame />
        </SessionProvider>
      ) : (
        <LinkSignIn key={link} link={link} onDone={dropLink} />
      )}
    </RouterProvider>
  );
}

const PublicPrivacy = lazy(async () => ({
  default: (await import('./pages/privacy/public-privacy.tsx')).PublicPrivacy,
}));

/** What this installation promises is open to everybody; everything else wants a sign-in. */
function SignedOut(): ReactNode {
  const { pathname } = useLocation();
  if (pathname !== '/privacy') return <SignIn />;
  return (
    <Suspense fallback={<Loading />}>
      <PublicPrivacy />
    </Suspense>
  );
}

function Frame(): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <a className="skip" href="#main">
        {t('shell.skip')}
      </a>
      <div className="frame">
        <Navigation />
        <FirstKey />
        <Main>
          <Suspense fallback={<Loading />}>
            <Routes>
              {PAGES.map(({ path, Page }) => (
                <Route key={path} path={path === '/' ? '/' : `${path}/*`} element={<Page />} />
              ))}
              <Route path="*" element={<EmptyState title={t('shell.noPage')} />} />
            </Routes>
          </Suspense>
        </Main>
      </div>
    </>
  );
}

/** Moves the focus to the page when it changes, so that screen readers and keyboards go on there. */
function Main({ children }: { readonly children: ReactNode }): ReactNode {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current !== pathname) main.current?.focus();
    last.current = pathname;
  }, [pathname]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      {children}
    </main>
  );
}
