import { type ReactNode, useEffect, useRef } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';

export interface TabItem<T extends string> {
  readonly id: T;
  readonly name: string;
  readonly content: ReactNode;
}

/** One of several views of the same thing; arrow keys move between them. */
export function Tabs<T extends string>(props: {
  readonly label: string;
  readonly tabs: readonly TabItem<T>[];
  readonly selected: T;
  readonly onSelect: (id: T) => void;
}): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  // Where they do not all find room, the selected one is in sight.
  useEffect(() => {
    const selected = list.current?.querySelector('[data-selected]');
    selected?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [props.selected]);
  return (
    <AriaTabs
      className="tabs"
      selectedKey={props.selected}
      onSelectionChange={(key) => props.onSelect(String(key) as T)}
    >
      <TabList ref={list} aria-label={props.label}>
        {props.tabs.map(({ id, name }) => (
          <Tab key={id} id={id}>
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
