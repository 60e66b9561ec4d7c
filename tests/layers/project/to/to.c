/*
 * to.c - the component that is used.
 */
int to(void);

int to(void)
{
    return 0;
}
