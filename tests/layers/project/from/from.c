/*
 * from.c - the component that uses the other one.
 */
int from(void);

int from(void)
{
    return 0;
}
