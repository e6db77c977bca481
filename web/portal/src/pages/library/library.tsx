import type { ReactNode } from 'react';
import { Route, Routes } from 'react-router';
import { DeployPage } from './deploy/deploy-page.tsx';
import { FunctionPage } from './function-page.tsx';
import { FunctionList } from './function-list.tsx';

/** The list, one function, and the way for a new one. */
export function Library(): ReactNode {
  return (
    <Routes>
      <Route index element={<FunctionList />} />
      <Route path="deploy" element={<DeployPage />} />
      <Route path="functions/:shortname" element={<FunctionPage />} />
    </Routes>
  );
}
