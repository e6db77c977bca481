import type { ReactNode } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { Icon } from './icon.tsx';
import './foldable.css';

/** Opens to what is behind its title. */
export function Foldable(props: {
  readonly title: ReactNode;
  /** Of the heading that its title is. */
  readonly level: 3 | 4;
  readonly isOpen?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Disclosure className="foldable" defaultExpanded={props.isOpen ?? false}>
      <Heading level={props.level}>
        <Button slot="trigger" className="button quiet">
          <Icon name="chevron" size={16} />
          {props.title}
        </Button>
      </Heading>
      <DisclosurePanel className="panel">{props.children}</DisclosurePanel>
    </Disclosure>
  );
}
