import type { CSSProperties, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSiteForm } from '../../../../../contract/aimee.ts';
import { Icon } from '../../ui/icon.tsx';
import { inkOn } from '../../../../widget/src/loader/ink.ts';

/** The chat as visitors will see it, drawn from the same settings; nothing in it can be pressed, and nothing is sent. */
export function LookPreview({ form }: { readonly form: AimeeSiteForm }): ReactNode {
  const { t } = useTranslation();
  const { look, name, suggestions } = form;
  const colours = { '--accent': look.accent, '--accent-ink': inkOn(look.accent) } as CSSProperties;
  return (
    <div className={`preview ${look.theme} ${look.position}`} style={colours}>
      <div className="chat">
        <div className="chat-head">
          <strong dir="auto">{look.title || name}</strong>
          <span className="small">{t('pages.aimee.preview.notice')}</span>
        </div>
        <div className="chat-body">
          <p className="bubble answer" dir="auto">
            {look.greeting || t('pages.aimee.preview.greeting')}
          </p>
          {suggestions.map((suggestion) => (
            <span key={suggestion} className="suggestion" dir="auto">
              {suggestion}
            </span>
          ))}
          <p className="bubble question">{t('pages.aimee.preview.question')}</p>
          <p className="bubble answer">{t('pages.aimee.preview.answer')}</p>
        </div>
        <div className="chat-foot">
          <span className="chat-input">{t('pages.aimee.preview.input')}</span>
          <span className="chat-send">
            <Icon name="send" />
          </span>
        </div>
        {look.privacyUrl !== '' && (
          <span className="chat-privacy small">{t('pages.aimee.preview.privacy')}</span>
        )}
      </div>
      <span className="launcher">
        <Icon name="aimee" size={26} />
      </span>
    </div>
  );
}
