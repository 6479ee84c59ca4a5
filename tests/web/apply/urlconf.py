"""Every address of Foyer, and those of the application."""

from __future__ import annotations

from foyer import urls
from foyer.web.apply import urls as apply

urlpatterns = [*urls.urlpatterns, *(it for it in apply.urlpatterns if it not in urls.urlpatterns)]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
