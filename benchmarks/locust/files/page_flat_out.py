"""The page's users without their pauses, as nothing is saturated with them."""

import page
from locust import constant


class FlatOut(page.ApiUser):
    """Sends whenever it can."""

    wait_time = constant(0)
