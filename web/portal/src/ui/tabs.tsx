import { type ReactNode, useEffect, useRef } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';

export interface TabItem<T extends string> {
  readonly id: T;
  readonly name: string;
  readonly content: ReactNode;
}

/** Where not all of them find room, the selected one is in sight. */
function reveal(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: 'nearest', inline: 'center' });
}

/** One of several views of the same thing; arrow keys move between them. */
export function Tabs<T extends string>(props: {
  readonly label: string;
  readonly tabs: readonly TabItem<T>[];
  readonly selected: T;
  readonly onSelect: (id: T) => void;
}): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  // On narrow screens the list scrolls sideways.
  useEffect(() => {
    list.current
      ?.querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [props.selected]);
  return (
    <AriaTabs
      className="tabs"
      selectedKey={props.selected}
      onSelectionChange={(key) => props.onSelect(String(key) as T)}
    >
      <TabList ref={list} aria-label={props.label}>
        {props.tabs.map(({ id, name }) => (
          <Tab key={id} id={id} ref={id === props.selected ? reveal : null}>
            {name}
          </Tab>
        ))}
      </TabList>
      {props.tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id}>
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
