import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type * as z from 'zod';
import type { AiChoice, AiModels } from '../../../../../contract/query-service.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { AskSettings, type AskSettingsValue, askingOf } from './ask-settings.tsx';
import { Composer } from './composer.tsx';
import { NoModel } from './no-model.tsx';
import { Transcript } from './transcript.tsx';
import { useConversation } from './use-conversation.ts';
import './ask.css';

export type Model = z.infer<typeof AiModels>['models'][number];

interface Models {
  readonly models: readonly Model[];
  /** The account's own choice; only a chosen model outside may be asked. */
  readonly chosen: string | undefined;
}

export function Ask(): ReactNode {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ['ai-models'],
    queryFn: async ({ signal }): Promise<Models> => {
      const [{ models }, { platform }] = await Promise.all([
        request<z.infer<typeof AiModels>>('/api/v1/ai/models', { signal }),
        request<z.infer<typeof AiChoice>>('/api/v1/ai/choice', { signal }),
      ]);
      return { models, chosen: platform };
    },
  });
  return (
    <Loaded query={query}>
      {(models) =>
        models.models.length === 0 ? (
          <Page title={t('pages.ask.title')} lead={t('pages.ask.lead')}>
            <NoModel />
          </Page>
        ) : (
          <Chat models={models} />
        )
      }
    </Loaded>
  );
}

function Chat({ models: { models, chosen } }: { readonly models: Models }): ReactNode {
  const { t } = useTranslation();
  const { turns, isRunning, ask, stop, forget } = useConversation();
  const allowed = models.filter(({ platform, isOutside }) => !isOutside || platform === chosen);
  const [value, setValue] = useState<AskSettingsValue>({
    platform: allowed.find(({ platform }) => platform === chosen)?.platform ?? allowed[0]?.platform,
    offer: 'none',
    functions: new Set(),
    sources: new Set(),
  });
  const { platform } = value;
  return (
    <Page
      title={t('pages.ask.title')}
      lead={t('pages.ask.lead')}
      actions={turns.length > 0 && <Button onPress={forget}>{t('pages.ask.forget')}</Button>}
    >
      <div className="ask">
        <AskSettings models={models} chosen={chosen} value={value} onChange={setValue} />
        <div className="chat">
          <Transcript turns={turns} />
          <Composer
            isRunning={isRunning}
            isDisabled={platform === undefined}
            onAsk={(question) => platform !== undefined && ask(question, askingOf({ ...value, platform }))}
            onStop={stop}
          />
          <p className="muted">{t('pages.ask.nothingKept')}</p>
        </div>
      </div>
    </Page>
  );
}
