import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SignedOut } from '../../../../contract/session.ts';
import { request } from '../api.ts';
import { LANGUAGES, type Language, chooseLanguage } from '../i18n.ts';
import { useSession, useSessionChanged } from '../session.tsx';
import { THEMES, type Theme, chooseTheme } from '../theme.ts';
import { Icon } from '../ui/icon.tsx';

/** Who is signed in, how it looks, in which language, and the way out. */
export function AccountMenu(): ReactNode {
  const { t } = useTranslation();
  const { account, unlocked } = useSession();
  const changed = useSessionChanged();
  const signOut = useMutation({
    mutationFn: () => request<SignedOut>('/api/v1/session', { method: 'DELETE' }),
    onSuccess: ({ providerUrl }) => {
      // Or the next one at this machine would come in again with one press.
      if (providerUrl !== null) location.assign(providerUrl);
    },
    onSettled: () => changed(undefined),
  });
  return (
    <MenuTrigger>
      <AriaButton className="button quiet">
        <Icon name={unlocked ? 'unlocked' : 'locked'} />
        {account.name}
      </AriaButton>
      <Popover className="popover">
        <Menu aria-label={t('shell.account')} onAction={(key) => act(String(key), () => signOut.mutate())}>
          {THEMES.map((theme) => (
            <MenuItem key={theme} id={`theme:${theme}`} className="option">
              {t(`shell.themes.${theme}`)}
            </MenuItem>
          ))}
          <Separator />
          {Object.entries(LANGUAGES).map(([language, name]) => (
            <MenuItem key={language} id={`language:${language}`} className="option" textValue={name}>
              <span lang={language}>{name}</span>
            </MenuItem>
          ))}
          <Separator />
          <MenuItem id="sign-out" className="option">
            {t('shell.signOut')}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function act(key: string, signOut: () => void): void {
  const [what, value] = key.split(':');
  if (what === 'theme') chooseTheme(value as Theme);
  else if (what === 'language') void chooseLanguage(value as Language);
  else signOut();
}
