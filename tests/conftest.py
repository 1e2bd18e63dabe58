"""What every test may use."""

import httpx2

pytest_plugins = ["pytester"]

# pytester takes back what its runs in this process import. A module of which a part was loaded
# before and the rest within would then exist twice, with exceptions that are not each other.
httpx2.Client().close()
