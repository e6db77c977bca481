import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps, Link, type LinkProps } from 'react-aria-components';

type Kind = 'plain' | 'primary' | 'danger' | 'quiet';

function className(kind: Kind): string {
  return kind === 'plain' ? 'button' : `button ${kind}`;
}

/** `isPending` keeps the focus and says that it is at work. */
export function Button({
  kind = 'plain',
  ...props
}: Omit<ButtonProps, 'className'> & { readonly kind?: Kind }): ReactNode {
  return <AriaButton {...props} className={className(kind)} />;
}

/** A link that looks like a button: it leads somewhere and changes nothing. */
export function LinkButton({
  kind = 'plain',
  ...props
}: Omit<LinkProps, 'className'> & { readonly kind?: Kind }): ReactNode {
  return <Link {...props} className={className(kind)} />;
}
