"""What labels of different vocabularies mean: GICS of several years, Wikipedia's words, LinkedIn's list.

Each line is one industry and its labels; a label on several lines means each of them. `BROAD` names the industries
that a wide label covers.
"""

INDUSTRIES = """
aerospace: Aerospace & Defense|aerospace|aerospace and defence|defence|defense|commercial aerospace
aerospace: military contractor|Aviation & Aerospace|Defense & Space|aviation|aircraft|arms industry|space
logistics: Air Freight & Logistics|logistics|courier|express logistics|transport and logistics
logistics: Cargo Ground Transportation|postal service|postal services|post|intralogistics|less than truckload
logistics: Freight & Package Transportation|trucking|Logistics & Supply Chain|Package/Freight Delivery
logistics: delivery|freight|Transportation, Logistics and Storage|warehousing
airlines: Airlines|Passenger Airlines|air transport|airline|Airlines/Aviation|aviation
auto_parts: Auto Components|Automotive Parts & Equipment|auto and truck parts|automotive parts
auto_parts: automotive safety|tyres|tire manufacturers|automotive engineering|Tires & Rubber
auto_parts: component manufacture and supply for commercial vehicles|automotive|automotive industry|rubber
auto_parts: supplier to the international automotive and mechanical engineering industries
cars: Automobiles|Automobile Manufacturers|automotive|automotive industry|automobile manufacturing|automobile
cars: automotive engineering|Motor Vehicle Manufacturing|motorcycles|commercial vehicles|motorcycle
cars: motor vehicles
banks: Banks|Diversified Banks|Regional Banks|banking|bank|banking and finance|Thrifts & Mortgage Finance
banks: mortgage lending|commercial banking|retail banking|Commercial Banks|finance and insurance
banks: investment banking
beverages: Beverages|Brewers|Distillers & Vintners|Soft Drinks & Non-alcoholic Beverages|beverage|drinks
beverages: brewery|brewing|Soft Drinks|food and soft drinks|food and beverage|Food & Beverages
beverages: wine and spirits|beer|Beverage Manufacturing|food and drink|retail and wholesale alcohol
beverages: wine and spirits distribution|Food, Beverage & Tobacco
biotech: Biotechnology|biotech|Life Sciences Tools & Services|clinical research organizations
biotech: contract research organizations|contract research organization|Biotechnology Research|life sciences
biotech: laboratory analysis|health-medical diagnostics|Pharmaceuticals, Biotechnology & Life Sciences
biotech: scientific instruments|laboratory equipment
pharma: Pharmaceuticals|pharmaceutical|pharmaceutical industry|Pharmaceutical Manufacturing|drugs
pharma: Pharmaceuticals, Biotechnology & Life Sciences
building_products: Building Products|building materials|construction products|skylights|engineered wood|hvac
building_products: heating|plumbing|plumbing parts manufacturing and supplying|glass
building_materials: Construction Materials|building materials|cement|construction products|concrete
building_materials: Glass, Ceramics & Concrete
capital_markets: Capital Markets|Asset Management & Custody Banks|Investment Banking & Brokerage
capital_markets: Financial Exchanges & Data|investment management|investment banking|investment services
capital_markets: investment|private equity|asset management|Venture Capital & Private Equity|stock exchange
capital_markets: securities|Multi-Sector Holdings|brokerage
chemicals: Chemicals|Specialty Chemicals|Commodity Chemicals|Diversified Chemicals|Industrial Gases|chemical
chemicals: chemical industry|Fertilizers & Agricultural Chemicals|flavors and fragrance
chemicals: petro-chemicals and more|Chemical Manufacturing|plastics|manufacturing and chemical distribution
chemicals: polymer engineering|petrochemicals|materials technology|paints
commercial_services: Commercial Services & Supplies|Diversified Support Services
commercial_services: Environmental & Facilities Services|support services|security|Security & Alarm Services
commercial_services: waste management|environmental services|Facilities Services|printing
commercial_services: integrated facility management|commercial printing|commercial and industrial printing
commercial_services: document solutions|Office Services & Supplies|Security and Investigations|catering|rental
commercial_services: rentals|rental and leasing|business services
communications_equipment: Communications Equipment|telecommunications equipment|networking equipment
communications_equipment: Computer Networking
conglomerates: Industrial Conglomerates|conglomerate|conglomerate holding company|Conglomerates|diversified
conglomerates: holding company|holding|diversified manufacturing|retail and agribusiness conglomerate
conglomerates: conglomerate including drinks|conglomerate logistics|Multi-Sector Holdings
conglomerates: diversified industrials
construction: Construction & Engineering|construction|civil engineering|engineering and construction
construction: infrastructure|engineering and construction services|engineering and services
construction: engineering and service|Homebuilding|engineering and project management
construction: construction and management of rail infrastructure|engineering|construction industry
construction: engineering and technology consulting|plant and machinery construction
homebuilding: Homebuilding|Household Durables|residential construction
consumer_finance: Consumer Finance|Transaction & Payment Processing Services|payments|Credit Agencies
consumer_finance: Debt Collection|credit cards|Diversified Financial Services|Specialized Finance|leasing
consumer_finance: Financial Services|fintech|credit agency|collection agency
packaging: Containers & Packaging|packaging|Metal, Glass & Plastic Containers
packaging: Paper & Plastic Packaging Products & Materials|paper and packaging|food packaging
packaging: Packaging & Containers|packaging machine|Metal & Glass Containers|Paper Packaging
distributors: Distributors|distribution|wholesale|wholesale distribution|Trading Companies & Distributors
distributors: distribution and services|distribution and outsourcing|market expansion services
distributors: Technology Distributors|trading|trading company|trading companies|general trading company
distributors: merchant|distribution of electrical supplies|industrial equipment wholesale|commodities
distributors: Health Care Distributors|Food Distributors|food distribution|car rental|Import and Export
consumer_services: Diversified Consumer Services|Specialized Consumer Services|personal|parking
education: Education|Education Services|higher education|for-profit education|early childhood education
education: E-Learning|Education Management|Primary/Secondary Education
electric: Electric Utilities|Multi-Utilities|electric utility|electricity|electricity generation
electric: electricity distribution|utilities|public utility|power|electric power|energy supply
power: Independent Power and Renewable Electricity Producers|Independent Power Producers & Energy Traders
power: renewable energy|clean energy|electricity generation|wind power industry|solar energy|photovoltaics
power: Renewables & Environment|electricity|Renewable Electricity|Independent Power Producers
power: nuclear technology|energy storage|energy efficiency|electric utility
gas: Gas Utilities|Multi-Utilities|natural gas utility|natural gas|utilities|public utility
water: Water Utilities|Multi-Utilities|utilities|public utility|water|waste management
electrical: Electrical Equipment|Electrical Components & Equipment|Heavy Electrical Equipment|electrical
electrical: lighting|automation|industrial automation|small dc motors|electrical engineering
electrical: Electrical/Electronic Manufacturing|wind power industry|energy storage
electrical: motion and control technologies|photovoltaics
electronics: Electronic Equipment, Instruments & Components|Electronic Equipment & Instruments
electronics: Electronic Components|electronics|Electronic Manufacturing Services
electronics: electronics manufacturing services|electronics industry|instrumentation|precision instruments|odm
electronics: microelectronics|Technology Distributors|imaging and it company
electronics: Electrical/Electronic Manufacturing|scientific instruments
energy_equipment: Energy Equipment & Services|Oil & Gas Equipment & Services|oilfield services
energy_equipment: oilfield services subsea|oil and gas equipment|Oil & Gas Drilling|oil and gas
entertainment: Entertainment|Movies & Entertainment|Casinos & Gaming|gaming|mass media
entertainment: Interactive Home Entertainment|music|diversified media and broadcasting|Computer Games
entertainment: video games|games|Entertainment Providers|film
reit: Equity Real Estate Investment Trusts (REITs)|Data Center REITs|Industrial REITs
reit: Multi-Family Residential REITs|Office REITs|Telecom Tower REITs|Retail REITs|Health Care REITs
reit: Self-Storage REITs|Hotel & Resort REITs|Other Specialized REITs|Timber REITs|REITs|real estate|property
reit: Real Estate Investment Trusts|Single-Family Residential REITs|Diversified REITs
food: Food Products|Packaged Foods & Meats|food processing|food|foods|food industry
food: Agricultural Products & Services|agribusiness|agrobusiness|agriculture|plantation|dairy|confectionery
food: confectionery manufacturing|seafood|meat processing|frozen food|edible salts|food and soft drinks
food: food and beverage|Food Production|Agriculture & Food|fmcg|consumer goods|fast-moving consumer goods
food: Food & Beverages|Food & Staples Retailing|Food, Beverage & Tobacco|farming|Agricultural Products
food: food and drink|Food and Beverage Manufacturing|Dairy Product Manufacturing
food_retail: Food & Staples Retailing|Food Retail|Consumer Staples Merchandise Retail|supermarket|supermarkets
food_retail: hypermarkets and super centers|discount retailer|mass retail|Food Distributors|food distribution
food_retail: retail|retailing|retailer|retailing and real estate|retail and wholesale alcohol|Drug Retail
food_retail: pharmacy|grocery
health_equipment: Health Care Equipment & Supplies|Health Care Equipment|Health Care Supplies|medical devices
health_equipment: medical technology|ophthalmology|eye care|healthcare equipment and services
health_equipment: medical equipment|Medical Equipment Manufacturing|health care supplies and services
health_equipment: Medical Device|health-medical diagnostics|Health Care Equipment & Services
health_services: Health Care Providers & Services|Health Care Services|Health Care Distributors
health_services: Health Care Facilities|Managed Health Care|health insurance|hospitals|Hospital & Health Care
health_services: Health, Wellness & Fitness|Medical Practice|health care supplies and services
health_services: healthcare equipment and services|Health Care Equipment & Services
health_technology: Health Care Technology|health information technology|healthtech|digital health
hospitality: Hotels, Restaurants & Leisure|Hotels, Resorts & Cruise Lines|Restaurants|Casinos & Gaming|hotels
hospitality: hotel|leisure|hospitality|restaurant|operating restaurant chains|franchise restaurants
hospitality: coffee shop|hotel and catering trade|travel|tourism|travel and tourism|travel agencies
hospitality: travel agency|Travel & Transportation|amusement parks|gambling|Leisure Facilities
hospitality: Leisure, Travel & Tourism|catering|gaming|Hotel & Resort REITs|Consumer Services
hospitality: travel technology
household_durables: Household Durables|home appliances|home appliance|appliances|furniture
household_durables: consumer electronics|Home Furnishings|Housewares & Specialties|Household Appliances
household_durables: power tools|consumer durables|professional electronics and consumer goods|homeware
household_durables: electronics
household_products: Household Products|Personal Care Products|Personal Products|personal care|beauty|cosmetics
household_products: consumer goods|fmcg|fast-moving consumer goods|paper products
household_products: Household & Personal Products
insurance: Insurance|Life & Health Insurance|Property & Casualty Insurance|Multi-line Insurance
insurance: Insurance Brokers|insurance services|life insurance|insurance: life|finance and insurance
insurance: finance-insurance|Reinsurance|health insurance|employee benefits
internet: Interactive Media & Services|Internet & Social Media|internet|Internet Services & Infrastructure
internet: social media|Technology, Information and Internet|Online Media|Internet Publishing|search engine
online_retail: Internet & Direct Marketing Retail|Broadline Retail|electronic commerce|mail order|e-commerce
online_retail: ecommerce|online retail|Retail & Commerce|Automotive Retail|retail|retailing|retailer
it_services: IT Services|IT Consulting & Other Services|it|Data Processing & Outsourced Services
it_services: managed services|information technology services|information technology consulting and services
it_services: business process outsourcing|business process management|Internet Services & Infrastructure
it_services: Transaction & Payment Processing Services|outsourcing|Information Technology & Services
it_services: Information Technology and Services|information service group|cloud computing
it_services: Computer & Network Security|Software & Services|cybersecurity
leisure_products: Leisure Products|recreational goods|toys|Sporting Goods|sports equipment|sports
machinery: Machinery|Industrial Machinery & Supplies & Components|Agricultural & Farm Machinery
machinery: heavy equipment|Construction Machinery & Heavy Transportation Equipment|heavy machinery
machinery: mechanical engineering|industrial engineering|engineering|diversified machinery
machinery: industrial machinery|polymer engineering|motion and control technologies
machinery: industrial engineering and manufacturing|fluid control equipment|heavy equipment manufacturing
machinery: forestry equipment|agricultural machinery|lifting and material handling|shipbuilding|automation
machinery: power tools|plant and machinery construction|packaging machine|industrial automation
machinery: Mechanical or Industrial Engineering|Machinery Manufacturing|industrial processing|intralogistics
machinery: steel based technology and capital goods
shipping: Marine|shipping|container shipping|maritime|Marine Transportation|Maritime Transportation
shipping: shipbuilding|Marine Shipping
media: Media|Advertising|Publishing|Broadcasting|Cable & Satellite|mass media|print media|marketing
media: out-of-home advertising|Media & Entertainment|Marketing and Advertising|Marketing & Advertising
media: diversified media and broadcasting|Newspapers|Advertising Services|public relations|newspaper
media: television|Media Production
metals: Metals & Mining|Steel|metals|mining|iron and steel|metals and mining|Gold|Copper|Silver|Aluminum
metals: gold mining|aluminium|platinum|minerals|non-ferrous metal|basic resources|commodities
metals: mining and trading of diamonds|materials technology|Mining & Metals|steel industry
metals: steel based technology and capital goods|Precious Metals & Minerals|Diversified Metals & Mining
metals: Primary Metal Manufacturing|coal
oil: Oil, Gas & Consumable Fuels|Integrated Oil & Gas|Oil & Gas Refining & Marketing
oil: Oil & Gas Storage & Transportation|Oil & Gas Exploration & Production|oil and gas
oil: petroleum and natural gas|petroleum industry|petroleum|oil and natural gas|oil|refining|coal
oil: Coal & Consumable Fuels|Oil & Energy|natural gas|oil industry
paper: Paper & Forest Products|pulp and paper|paper|pulp|forestry|paper products|paper and packaging
paper: Forest Products|Paper & Forest Product Manufacturing|timber|engineered wood
professional: Professional Services|Human Resource & Employment Services|Research & Consulting Services
professional: business services|consulting|accounting|recruitment|testing|development testing
professional: applied contract research|language localization|employee benefits|customer management
professional: Data Brokers|Management Consulting|Business Consulting and Services|staffing
professional: Staffing and Recruiting|Law Practice|Legal Services|design|quality
professional: engineering and technology consulting
real_estate: Real Estate Management & Development|Real Estate Services|real estate
real_estate: commercial real estate services|property|Real Estate Development
real_estate: Diversified Real Estate Activities|retailing and real estate|property development
rail: Road & Rail|Rail Transportation|rail transport|railway company|railway transport
rail: Passenger Ground Transportation|public transport|rapid transit|passenger rail|private railway
rail: railway transportation|rail industry|railways|public transport bus service
rail: european rail infrastructure managers|Cargo Ground Transportation|Ground Transportation
rail: Truck Transportation|car rental|trucking|less than truckload|Trucking & Railroad
semiconductors: Semiconductors & Semiconductor Equipment|Semiconductors|Semiconductor Materials & Equipment
semiconductors: semiconductor|semiconductor industry|semiconductor foundry|microelectronics
semiconductors: Semiconductor Equipment
software: Software|Application Software|Systems Software|computer software|software development
software: enterprise software|cad|SaaS|travel technology|Software & Services|Software Products
specialty_retail: Specialty Retail|Automotive Retail|Homefurnishing Retail|Apparel Retail
specialty_retail: Computer & Electronics Retail|Home Improvement Retail|Other Specialty Retail
specialty_retail: department store|department stores|retail|retailing|retailer|home improvement
specialty_retail: consumer electronics retailing|auto retailing|duty-free shop|Retail & Commerce
specialty_retail: Multiline Retail|fashion|Broadline Retail|Retail Apparel and Fashion
apparel: Apparel Retail|Textiles, Apparel & Luxury Goods|Apparel, Accessories & Luxury Goods|apparel|clothing
apparel: footwear|fashion|textile|fashion and footwear|clothing and consumer goods manufacture|apparels
apparel: fashion industry|textiles|watch manufacturing|Apparel & Fashion|Luxury Goods & Jewelry|luxury goods
apparel: jewelry|Textile Manufacturing|sportswear
hardware: Technology Hardware, Storage & Peripherals|computer hardware|storage device|computer storage
hardware: printers|hardware|information storage|computer systems|consumer electronics
hardware: Computer Hardware Manufacturing|Electronic Equipment, Instruments & Components
hardware: imaging and it company|document solutions|Technology Hardware & Equipment
telecoms: Telecommunications|Diversified Telecommunication Services|telecommunication
telecoms: telecommunication services|Integrated Telecommunication Services|Wireless Telecommunication Services
telecoms: wireless telecommunications|Cable & Satellite|mobile network operator|Telecommunications Services
telecoms: Alternative Carriers|Wireless
tobacco: Tobacco|tobacco industry|Food, Beverage & Tobacco
infrastructure: Transportation Infrastructure|airport management|Airport Services|Highways & Railtracks
infrastructure: Marine Ports & Services|airports|infrastructure|european rail infrastructure managers|parking
government: Government & Non-Profit|government administration|Non-profit Organizations|public administration
government: non-profit
"""

BROAD = """
Financials|financial services|finance|financial|financial sector|Diversified Financials: banks capital_markets
Financials|financial services|finance|financial|financial sector|Diversified Financials: consumer_finance
Financials|financial services|finance|financial|financial sector|Diversified Financials: insurance
banking and finance|finance and insurance|finance-insurance: banks capital_markets consumer_finance insurance
Health Care|healthcare|health: biotech health_equipment health_services health_technology pharma
Utilities|energy supply: electric gas power water
Energy|energy industry: electric energy_equipment gas oil power
Telecommunications & Media|Communication Services: telecoms media entertainment internet
Media & Entertainment: media entertainment internet
Information Technology|Software & Services: hardware it_services software electronics semiconductors
Information Technology|Software & Services: communications_equipment
Consumer Discretionary: cars auto_parts household_durables leisure_products apparel hospitality
Consumer Discretionary: specialty_retail online_retail consumer_services education
Consumer Staples: beverages food food_retail household_products tobacco
Materials: chemicals building_materials packaging metals paper
Industrials: aerospace building_products construction electrical conglomerates machinery distributors
Industrials: commercial_services professional logistics airlines shipping rail infrastructure
Capital Goods: aerospace building_products construction electrical conglomerates machinery distributors
manufacturing|manufacturer|manufacturing industry|serial producing: machinery electrical electronics
manufacturing|manufacturer|manufacturing industry|serial producing: auto_parts cars chemicals
manufacturing|manufacturer|manufacturing industry|serial producing: building_products building_materials
manufacturing|manufacturer|manufacturing industry|serial producing: packaging metals paper aerospace
manufacturing|manufacturer|manufacturing industry|serial producing: household_durables apparel food hardware
manufacturing|manufacturer|manufacturing industry|serial producing: health_equipment
Industrial Goods|industrial: machinery electrical electronics aerospace building_products conglomerates
Transportation|transport|Travel & Transportation: logistics airlines shipping rail infrastructure
Real Estate: real_estate reit
Retail & Commerce|retail|retailing|retailer|Retailing|commerce: food_retail online_retail specialty_retail
electronics|electronics industry: communications_equipment semiconductors hardware household_durables
internet: internet online_retail
Consumer Durables & Apparel: household_durables leisure_products apparel homebuilding
Automobiles & Components: cars auto_parts
Commercial & Professional Services: commercial_services professional
Household & Personal Products: household_products
Technology Hardware & Equipment: hardware electronics communications_equipment
consumer goods: food household_products beverages apparel household_durables leisure_products
"""
